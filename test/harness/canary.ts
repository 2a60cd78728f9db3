/** Stands in each text that the tests send and receive, and must never stand in what a program says. */
export const CANARY = 'canary-2f9c81d4';
