export type DispatchThing = 'dispatch';
export const dispatchThing: DispatchThing = 'dispatch';
