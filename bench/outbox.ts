export async function benchOutbox(): Promise<boolean> {
  return true;
}
