// Allowed: a command speaks to a person.
export function answer(): void {
  console.log('hello');
}
