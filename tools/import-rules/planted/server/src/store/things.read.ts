export type StoreThing = 'store';
export const storeThing: StoreThing = 'store';
