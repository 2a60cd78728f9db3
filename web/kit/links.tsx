import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type OfAnchor = Pick<
  AnchorHTMLAttributes<HTMLAnchorElement>,
  'children' | 'onClick' | 'aria-label' | 'aria-current' | 'aria-describedby'
> & { ref?: Ref<HTMLAnchorElement> };

/** A button that leads somewhere: looks like a button, is a link. */
export const ButtonLink = createLink((props: ButtonProps & OfAnchor) => <Button component="a" {...props} />);

export const TextLink = createLink((props: AnchorProps & OfAnchor) => (
  <Anchor underline="always" {...props} />
));
