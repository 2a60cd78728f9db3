import { type RefObject, useEffect, useRef } from 'react';

/** For a form: whenever what is missing or what was refused has changed, the first field at fault has the focus. */
export function useFirstFault(missing: object, refused: Error | null): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: both are only looked at for being others than before
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [missing, refused]);
  return form;
}
