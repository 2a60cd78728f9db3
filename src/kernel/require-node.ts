/** Imported first by every entry: the rest does not even load on an older Node. */
const NEEDED = 24;

const major = Number(process.versions.node.split('.')[0]);
if (major < NEEDED) {
  console.error(
    `Convoke needs Node ${NEEDED} or later; this is ${process.versions.node}. ` +
      'Start it with `npm start` or `npm run convoke`, which bring their own after `npm ci`.',
  );
  process.exit(1);
}
