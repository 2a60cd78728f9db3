import { fsyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Module = {
  NODEFS: { stream_ops: { fsync?: (stream: { nfd: number }) => void } };
};

/**
 * PGlite 0.5 keeps its files in a real folder but never flushes them: its node file system has no
 * fsync. This puts one where Emscripten looks for it, and counts the calls, because the place is not a
 * documented one and a silent change of it would cost data at a power cut.
 */
export class DurableFiles extends NodeFS {
  syncs = 0;

  override async init(...[pglite, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pglite, options);
    const install = (module: unknown) => {
      (module as Module).NODEFS.stream_ops.fsync = stream => {
        this.syncs += 1;
        fsyncSync(stream.nfd);
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), install] } };
  }
}
