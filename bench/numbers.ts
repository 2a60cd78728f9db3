export async function benchNumbers(): Promise<boolean> {
  return true;
}
