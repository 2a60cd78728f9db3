import type { z } from 'zod';
import { AppError } from './errors.ts';
import { fieldErrors, validationError } from './http/validate.ts';

/** What an operator may tell the program on the command line; a room registers its own. */
export type Commands = {
  /** `handler` answers with the sentence that the operator reads. */
  register<S extends z.ZodType>(
    name: string,
    input: S,
    handler: (input: z.output<S>) => Promise<string>,
  ): void;
  /** Throws AppError for unknown commands and wrong input. */
  run(name: string, input: unknown): Promise<string>;
};

export function createCommands(): Commands {
  const known = new Map<string, (input: unknown) => Promise<string>>();
  return {
    register(name, shape, handler) {
      if (known.has(name)) throw new Error(`The command ${name} is registered twice.`);
      known.set(name, async input => {
        const checked = shape.safeParse(input);
        if (!checked.success) throw validationError(fieldErrors(checked.error.issues, input));
        return handler(checked.data);
      });
    },
    async run(name, input) {
      const handler = known.get(name);
      if (!handler)
        throw new AppError(
          'not_found',
          `The running Convoke does not know the command "${name}". Is it an older version?`,
        );
      return handler(input);
    },
  };
}
