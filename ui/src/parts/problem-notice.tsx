import type { ReactNode } from 'react';
import { Button } from '@mantine/core';
import { ApiProblem } from '../api/problem.js';
import { text } from '../text/text.js';
import { UseKey } from './use-key.js';

interface Props {
  error: unknown;
  /** Something was to be done, rather than read: without an answer nobody knows whether it was. */
  ofAct?: boolean;
  onRetry?: () => unknown;
  /** Does again what was refused, once they have shown who they are. */
  onShown?: () => void;
}

/** What went wrong, what to do about it, and the id to quote. */
export function ProblemNotice({ error, ofAct = false, onRetry, onShown }: Props): ReactNode {
  const problem = error instanceof ApiProblem ? error : null;
  const isForbidden = problem?.kind === 'forbidden';
  return (
    <div className={isForbidden ? 'notice notice-quiet' : 'notice notice-bad'} role="alert">
      <p className="notice-title">
        <span aria-hidden="true">{isForbidden ? '⊘ ' : '✕ '}</span>
        {problem?.title ?? text.problems.unexpected}
      </p>
      <p>{detailOf(problem, ofAct)}</p>
      {problem && problem.fields.length > 0 && (
        <ul>
          {problem.fields.map(({ pointer, detail }) => (
            <li key={pointer + detail}>
              {pointer.replace(/^\//, '') || text.problems.whole}: {detail}
            </li>
          ))}
        </ul>
      )}
      {problem?.stepUp &&
        (problem.stepUp.isByKey ? <UseKey onShown={onShown} /> : <SignInAgain url={problem.stepUp.url} />)}
      {problem?.requestId && (
        <p className="small dim">
          {text.problems.requestId} <code>{problem.requestId}</code>
        </p>
      )}
      {onRetry && !isForbidden && (
        <Button size="xs" variant="default" onClick={onRetry}>
          {text.problems.retry}
        </Button>
      )}
    </div>
  );
}

function detailOf(problem: ApiProblem | null, ofAct: boolean): string {
  if (!problem) return text.problems.unexpectedDetail;
  const isUnanswered = problem.kind === 'no-answer' || problem.kind === 'unreadable';
  if (ofAct && isUnanswered) return text.problems.mayBeDone;
  return problem.kind === 'unreadable' ? text.problems.unreadableDetail : problem.detail;
}

/** To where somebody shows again who they are; it brings them back here. */
function SignInAgain({ url }: { url: string }): ReactNode {
  const address = new URL(url);
  address.searchParams.set('return', window.location.pathname + window.location.search);
  return (
    <p>
      <a className="act-link" href={address.href}>
        {text.problems.stepUp}
      </a>
    </p>
  );
}
