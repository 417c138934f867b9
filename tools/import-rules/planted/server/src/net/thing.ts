export type NetThing = 'net';
export const netThing: NetThing = 'net';
