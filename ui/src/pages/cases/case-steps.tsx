import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { CaseDetails, CaseStep } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Residual } from '../../parts/residual.js';
import { StepStateMark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { isOnWord } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { ClockTime, Instant } from '../../time/instant.js';
import { duration } from '../../time/relative-time.js';
import { attemptsInWords } from './attempts-in-words.js';
import { GiveStep } from './give-step.js';
import { StepEvidence } from './step-evidence.js';

/** Each step of a case as it is now: requested, sent, confirmed, and what may still work after it. */
export function CaseSteps({ details }: { details: CaseDetails }): ReactNode {
  return (
    <ol className="steps">
      {details.steps.map((step) => (
        <StepItem key={step.id} step={step} openedAt={details.openedAt} />
      ))}
    </ol>
  );
}

function StepItem({ step, openedAt }: { step: CaseStep; openedAt: string }): ReactNode {
  const needsHuman = step.state === 'needs_human';
  return (
    <li className={needsHuman ? 'step step-human' : 'step'} data-row tabIndex={-1}>
      <div className="step-head">
        <StepStateMark step={step} />
        <span className="step-what">
          {text.cases.act[step.act]}
          {step.grant && ` “${step.grant.name}”`} <span className="dim">{text.cases.at(step.toolName)}</span>
        </span>
      </div>
      <StepTimes step={step} openedAt={openedAt} />
      {step.residualUntil !== null && (
        <p>
          <Residual until={step.residualUntil} />
        </p>
      )}
      {step.reason !== null && <p className="step-reason">{step.reason}</p>}
      {needsHuman && <Duty step={step} />}
      {step.attestedBy !== null && step.attestedAt !== null && (
        <p className="small">
          {text.cases.attested(step.attestedBy)} <Instant at={step.attestedAt} />
        </p>
      )}
      <StepActs step={step} />
      {(needsHuman || step.attestedBy !== null) && <StepEvidence stepId={step.id} />}
      <Attempts step={step} />
    </li>
  );
}

function StepTimes({ step, openedAt }: { step: CaseStep; openedAt: string }): ReactNode {
  const after = (instant: string): string => `+${duration(Date.parse(instant) - Date.parse(openedAt))}`;
  return (
    <p className="step-times">
      <span>
        {text.cases.requested} <ClockTime at={step.requestedAt} />
      </span>
      {step.sentAt !== null && (
        <span>
          → {text.cases.sent} <time dateTime={step.sentAt}>{after(step.sentAt)}</time>
        </span>
      )}
      {step.confirmedAt !== null && (
        <span>
          → {isOnWord(step) ? text.cases.said : text.cases.confirmed}{' '}
          <time dateTime={step.confirmedAt}>{after(step.confirmedAt)}</time>
        </span>
      )}
      {step.state === 'ready' && step.failures > 0 && (
        <span>
          {text.cases.triesAgain} <Instant at={step.dueAt} />
        </span>
      )}
    </p>
  );
}

function Duty({ step }: { step: CaseStep }): ReactNode {
  return (
    <p className="small">
      {step.owner !== null && text.cases.answers(step.owner)}
      {step.deadline !== null && (
        <>
          {' '}
          · {text.cases.due} <Instant at={step.deadline} />
        </>
      )}
    </p>
  );
}

type Asked = 'retry' | 'complete' | 'confirm' | 'give' | 'waive' | null;

function StepActs({ step }: { step: CaseStep }): ReactNode {
  const may = useMay();
  const [asked, setAsked] = useState<Asked>(null);
  const close = (): void => setAsked(null);
  if (step.state !== 'needs_human') return null;
  const params = { path: { id: step.id } };
  const isAttested = step.attestedBy !== null;
  return (
    <div className="row">
      {may('steps:decide') && (
        <>
          <Button size="xs" variant="default" onClick={() => setAsked('retry')}>
            {text.cases.retry}
          </Button>
          {!isAttested && (
            <Button size="xs" variant="default" onClick={() => setAsked('complete')}>
              {text.cases.complete}
            </Button>
          )}
          <Button size="xs" variant="default" onClick={() => setAsked('give')}>
            {text.cases.give.open}
          </Button>
          <Button size="xs" variant="default" onClick={() => setAsked('waive')}>
            {text.cases.waive}
          </Button>
        </>
      )}
      {step.mayConfirm && may('steps:confirm') && (
        <Button size="xs" onClick={() => setAsked('confirm')}>
          {text.cases.confirm}
        </Button>
      )}
      {asked === 'retry' && (
        <ActDialog
          title={text.cases.retryTitle}
          verb={text.cases.retry}
          act={() => answerOf(api.POST('/v1/steps/{id}/retry', { params }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.cases.retryMeans(step.toolName)}</p>
        </ActDialog>
      )}
      {asked === 'complete' && (
        <ActDialog
          title={text.cases.completeTitle}
          verb={text.cases.complete}
          ask={{ label: text.cases.completeNote, required: true }}
          act={(note) => answerOf(api.POST('/v1/steps/{id}/complete', { params, body: { note } }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.cases.completeMeans}</p>
        </ActDialog>
      )}
      {asked === 'confirm' && (
        <ActDialog
          title={text.cases.confirmTitle}
          verb={text.cases.confirm}
          ask={{ label: text.cases.confirmNote, required: true }}
          act={(note) => answerOf(api.POST('/v1/steps/{id}/confirm', { params, body: { note } }))}
          onDone={close}
          onClose={close}
        />
      )}
      {asked === 'give' && (
        <GiveStep
          stepId={step.id}
          what={`${text.cases.act[step.act]} ${text.cases.at(step.toolName)}`}
          onClose={close}
        />
      )}
      {asked === 'waive' && (
        <ActDialog
          title={text.cases.waiveTitle}
          verb={text.cases.waive}
          danger
          ask={{ label: text.cases.waiveReason, required: true }}
          act={(reason) => answerOf(api.POST('/v1/steps/{id}/waive', { params, body: { reason } }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.cases.waiveMeans(step.toolName)}</p>
        </ActDialog>
      )}
    </div>
  );
}

/** Each call that was made, for whoever asks; closed, since few do. */
function Attempts({ step }: { step: CaseStep }): ReactNode {
  if (step.attemptsMade.length === 0) return null;
  return (
    <details className="attempts">
      <summary>{text.cases.calls(step.attemptsMade.length)}</summary>
      <ol>
        {step.attemptsMade.map((attempt) => (
          <li key={attempt.id}>
            <ClockTime at={attempt.intendedAt} /> {attemptsInWords(attempt)}
          </li>
        ))}
      </ol>
    </details>
  );
}
