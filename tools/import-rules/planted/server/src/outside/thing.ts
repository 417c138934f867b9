export type OutsideThing = 'outside';
export const outsideThing: OutsideThing = 'outside';
