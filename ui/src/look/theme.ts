import { createTheme } from '@mantine/core';

/** Only what Mantine computes in scripts; colours and sizes are variables in look.css. */
export const theme = createTheme({
  primaryColor: 'blue',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
});
