export type UntilOptions = { within?: number; every?: number; what?: () => string };

type Truthy<T> = Exclude<T, false | null | undefined | '' | 0>;

/** Asks again until the answer is truthy; fails with `what` was waited for after `within` ms (20 s: a machine may be busy). */
export async function until<T>(ask: () => Promise<T> | T, options: UntilOptions = {}): Promise<Truthy<T>> {
  const deadline = performance.now() + (options.within ?? 20_000);
  for (;;) {
    const answer = await ask();
    if (answer) return answer as Truthy<T>;
    if (performance.now() > deadline)
      throw new Error(`Waited in vain for ${options.what?.() ?? ask.toString()}`);
    await new Promise(resolve => setTimeout(resolve, options.every ?? 50));
  }
}
