// breaks: only-throw-error
export function go(): void {
  throw 'no';
}
