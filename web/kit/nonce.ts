/** What this page was answered with: the browser takes no style element that lacks it. */
export const styleNonce = document.querySelector<HTMLElement>('meta[name="style-nonce"]')?.nonce ?? '';

// Where the library that holds the page still behind a dialog looks for it.
Object.assign(globalThis, { __webpack_nonce__: styleNonce });
