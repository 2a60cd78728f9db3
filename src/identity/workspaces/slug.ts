const LONGEST = 34;

/** A short name made of the name: small Latin letters, digits, dashes; from the second attempt on with a number. */
export function slugOf(name: string, attempt: number): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST)
    .replace(/^-|-$/g, '');
  const base = plain === '' ? 'workspace' : plain;
  return attempt === 1 ? base : `${base}-${attempt}`;
}
