// breaks: noEnum
export enum State {
  queued = 'queued',
}
