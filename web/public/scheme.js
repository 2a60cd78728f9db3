// A file of its own, because the content security policy allows no inline script. It runs before the first paint.
(() => {
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem('convoke.scheme') ?? 'auto';
  } catch {
    // A browser without storage follows the system.
  }
  const dark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
