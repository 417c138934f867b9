export type DomainThing = 'domain';
export const domainThing: DomainThing = 'domain';
