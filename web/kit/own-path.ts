/** Where to go after signing in: a path of our own, never another site. */
export function ownPath(next: unknown): string {
  if (typeof next !== 'string' || !next.startsWith('/')) return '/';
  // Browsers read a backslash as a slash and drop tabs and line breaks, so "/\t/evil" would leave.
  if (/[\\\p{Cc}]/u.test(next) || next.startsWith('//')) return '/';
  const base = 'http://own.invalid';
  if (!URL.canParse(next, base)) return '/';
  const url = new URL(next, base);
  if (url.origin !== base) return '/';
  if (url.pathname === '/sign-in' || url.pathname.startsWith('/setup/')) return '/';
  return `${url.pathname}${url.search}${url.hash}`;
}
