/** Touch screens send their mouse events, and with them the loss of focus, just after the finger has gone. */
const SETTLES_MS = 60;

let pressed = false;

if (typeof window !== 'undefined') {
  window.addEventListener('pointerdown', () => (pressed = true), true);
  for (const end of ['pointerup', 'pointercancel']) {
    window.addEventListener(end, () => setTimeout(() => (pressed = false), SETTLES_MS), true);
  }
}

/**
 * Does what leaving a field causes: at once for the keyboard, with the click for a pointer. Done on
 * mousedown it would move the page, and the button would slip away under the press.
 */
export function afterPress(work: () => void): void {
  if (!pressed) {
    work();
    return;
  }
  const watch = setInterval(() => !pressed && end(), SETTLES_MS);
  const end = () => {
    clearInterval(watch);
    window.removeEventListener('click', end, true);
    work();
  };
  window.addEventListener('click', end, true);
}
