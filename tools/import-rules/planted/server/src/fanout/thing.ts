export type FanoutThing = 'fanout';
export const fanoutThing: FanoutThing = 'fanout';
