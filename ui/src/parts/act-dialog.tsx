import { useState, type ReactNode } from 'react';
import { Button, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { wrongField } from '../api/problem.js';
import { queryClient } from '../api/query-client.js';
import { text } from '../text/text.js';
import { Dialog } from './dialog.js';
import { ProblemNotice } from './problem-notice.js';

interface Props<T> {
  title: string;
  /** What will happen, before it happens. A form is told what was wrong with a field of it, by its pointer as in `/url`. */
  children?: ReactNode | ((wrong: (pointer: string) => string | undefined) => ReactNode);
  /** What the button says: the verb. */
  verb: string;
  danger?: boolean;
  /** A sentence that is asked for; without it none is. */
  ask?: { label: string; description?: string; required: boolean };
  /** Something else that it needs wasn't said yet. */
  isIncomplete?: boolean;
  act: (sentence: string) => Promise<T>;
  onDone: (result: T) => void;
  onClose: () => void;
}

const SHORTEST = 3;

/** Asks once, does it, and says what came of it. Nothing is shown as done before the server said so. */
export function ActDialog<T>({
  title,
  children,
  verb,
  danger,
  ask,
  isIncomplete = false,
  act,
  onDone,
  onClose,
}: Props<T>): ReactNode {
  const [sentence, setSentence] = useState('');
  const doing = useMutation({
    mutationFn: () => act(sentence.trim()),
    onSuccess: (result) => {
      void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] !== 'endless' });
      onDone(result);
    },
  });
  const isMissing = isIncomplete || (ask?.required === true && sentence.trim().length < SHORTEST);
  return (
    <Dialog title={title} isBusy={doing.isPending} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isMissing && !doing.isPending) doing.mutate();
        }}
      >
        {typeof children === 'function' ? children((pointer) => wrongField(doing.error, pointer)) : children}
        {ask && (
          <Textarea
            label={ask.label}
            description={ask.description}
            required={ask.required}
            value={sentence}
            onChange={(event) => setSentence(event.currentTarget.value)}
            maxLength={2_000}
            rows={3}
            data-autofocus
          />
        )}
        {doing.error && <ProblemNotice error={doing.error} ofAct onShown={() => doing.mutate()} />}
        <div className="row row-end">
          <Button variant="default" onClick={onClose} type="button" disabled={doing.isPending}>
            {text.cancel}
          </Button>
          <Button type="submit" color={danger ? 'red' : 'blue'} loading={doing.isPending} disabled={isMissing}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
