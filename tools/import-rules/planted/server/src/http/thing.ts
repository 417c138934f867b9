export type HttpThing = 'http';
export const httpThing: HttpThing = 'http';
