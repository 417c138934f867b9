export type JobsThing = 'jobs';
export const jobsThing: JobsThing = 'jobs';
