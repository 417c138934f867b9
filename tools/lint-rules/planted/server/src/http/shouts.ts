// breaks: noConsole
export function answer(): void {
  console.log('hello');
}
