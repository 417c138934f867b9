// breaks: no-unsafe-argument
function take(value: string): number {
  return value.length;
}

export const length = take(JSON.parse('1'));
