// breaks: prefer-promise-reject-errors
export function go(): Promise<void> {
  return Promise.reject('no');
}
