/** The tabs of the Activity page. */
export const outcomes = ['waiting', 'under_way', 'delivered', 'needs_you', 'stopped'] as const;
export type Outcome = (typeof outcomes)[number];
