export const simulatorThing = 'simulator';
