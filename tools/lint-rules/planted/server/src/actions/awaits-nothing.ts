// breaks: await-thenable
export async function go(): Promise<number> {
  const one = 1;
  return await one;
}
