import type { ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { showByKey } from '../api/security-keys.js';
import { text } from '../text/text.js';

/** Shows with a security key who is there. @param onShown what follows: the act that wanted it, done again */
export function UseKey({ onShown }: { onShown?: (() => void) | undefined }): ReactNode {
  const using = useMutation({ mutationFn: showByKey, onSuccess: () => onShown?.() });
  return (
    <div>
      <Button size="xs" onClick={() => using.mutate()} loading={using.isPending}>
        {text.yourSignIn.byKey}
      </Button>
      <p role="status" className="small">
        {using.isSuccess && text.yourSignIn.shown}
        {using.error?.message}
      </p>
    </div>
  );
}
