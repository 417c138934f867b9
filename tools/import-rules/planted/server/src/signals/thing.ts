export type SignalsThing = 'signals';
export const signalsThing: SignalsThing = 'signals';
