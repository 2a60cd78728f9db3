import { PasswordInput as Plain } from '@mantine/core';
import type { ComponentProps } from 'react';

/** Tells assistive technology and `useFirstFault` when it is at fault, as the other inputs do by themselves. */
export function PasswordInput(props: ComponentProps<typeof Plain>) {
  return (
    <Plain
      aria-invalid={props.error ? true : undefined}
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      {...props}
    />
  );
}
