import { useRef, useState, type ReactNode } from 'react';
import { Button, Textarea } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { once } from '../api/client.js';
import { queryClient } from '../api/query-client.js';
import { Dialog } from '../parts/dialog.js';
import { ProblemNotice } from '../parts/problem-notice.js';
import { Mark } from '../parts/step-state-mark.js';
import type { Tone } from '../states/step-states.js';
import { text } from '../text/text.js';
import { runOnEach, type Accepted, type RowResult } from './run-on-each.js';
import type { RowSelection } from './use-selection.js';

/** What would happen to a row, or why it can't; nothing is asked of the latter. */
export type Preview = { will: string } | { cannot: string };

/** An act on each of many rows, by the same request as on one. */
export interface BulkAct<T> {
  /** Named by what comes of it, as in `Retire 3 devices`: the title and the button. */
  verb: (count: number) => string;
  means: string;
  danger?: boolean;
  /** A sentence that goes with each of them. */
  ask?: string;
  preview: (row: T) => Preview;
  /** @param key of this row and this dialog: sent again, it is done once */
  act: (row: T, sentence: string, key: ReturnType<typeof once>) => Promise<Accepted>;
}

interface Props<T> extends BulkAct<T> {
  selection: RowSelection<T>;
  nameOf: (row: T) => string;
  /** What else tells it from the others. */
  detailOf?: (row: T) => ReactNode;
  /** Something else that it needs, chosen above the rows. */
  children?: ReactNode;
  isIncomplete?: boolean;
  onClose: () => void;
}

const SHORTEST = 3;

/**
 * Says of each row what will happen or why it can't, asks once, sends one request after the other and tells each answer.
 * What was refused, or not asked, stays chosen.
 */
export function BulkDialog<T extends { id: string }>({
  verb,
  means,
  danger,
  ask,
  preview,
  act,
  selection,
  nameOf,
  detailOf,
  children,
  isIncomplete = false,
  onClose,
}: Props<T>): ReactNode {
  // As they were shown when it was asked: the list behind goes on.
  const [rows] = useState(selection.chosen);
  const [keys] = useState(() => new Map(rows.map(({ id }) => [id, once()])));
  const [sentence, setSentence] = useState('');
  const [results, setResults] = useState<ReadonlyMap<string, RowResult>>(new Map());
  const [isRunning, setRunning] = useState(false);
  const [hasBegun, setBegun] = useState(false);
  const [endedBy, setEndedBy] = useState<unknown>(null);
  const isStopped = useRef(false);
  const doable = rows.filter((row) => 'will' in preview(row));
  const left = doable.filter(({ id }) => !results.has(id));
  const isMissing = isIncomplete || (ask !== undefined && sentence.trim().length < SHORTEST);

  const run = async (): Promise<void> => {
    isStopped.current = false;
    setBegun(true);
    setRunning(true);
    setEndedBy(null);
    const ended = await runOnEach(
      left,
      (row) => act(row, sentence.trim(), keys.get(row.id) ?? once()),
      (id, result) => {
        setResults((before) => new Map([...before, [id, result]]));
        if ('accepted' in result) selection.drop(id);
      },
      () => isStopped.current,
    );
    setEndedBy(ended);
    setRunning(false);
    void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] !== 'endless' });
  };

  return (
    <Dialog title={verb(doable.length)} isBusy={isRunning} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isMissing && !isRunning && left.length > 0) void run();
        }}
      >
        <p>{means}</p>
        {!hasBegun && children}
        {ask !== undefined && !hasBegun && (
          <Textarea
            label={ask}
            required
            value={sentence}
            onChange={({ currentTarget }) => setSentence(currentTarget.value)}
            maxLength={2_000}
            rows={2}
            data-autofocus
          />
        )}
        <p role="status" className="small">
          {hasBegun
            ? text.bulk.progress(results.size, doable.length, refusalsIn(results))
            : text.bulk.willDo(doable.length, rows.length - doable.length)}
        </p>
        {hasBegun && <progress max={doable.length} value={results.size} aria-label={text.bulk.progressLabel} />}
        <ul className="bulk-rows" tabIndex={0} aria-label={text.bulk.label}>
          {rows.map((row) => (
            <li key={row.id}>
              <span>
                <span className="row-name">{nameOf(row)}</span>
                {detailOf && <> · {detailOf(row)}</>}
              </span>
              <RowStanding preview={preview(row)} result={results.get(row.id)} hasBegun={hasBegun} />
            </li>
          ))}
        </ul>
        {endedBy !== null && <ProblemNotice error={endedBy} ofAct onShown={() => void run()} />}
        {hasBegun && !isRunning && left.length > 0 && <p>{text.bulk.notAsked(left.length)}</p>}
        <div className="row row-end">
          {isRunning ? (
            <Button
              variant="default"
              type="button"
              onClick={() => {
                isStopped.current = true;
              }}
            >
              {text.bulk.stop}
            </Button>
          ) : (
            <Button variant="default" type="button" onClick={onClose}>
              {hasBegun ? text.close : text.cancel}
            </Button>
          )}
          {(left.length > 0 || !hasBegun) && (
            <Button
              type="submit"
              color={danger ? 'red' : 'blue'}
              loading={isRunning}
              disabled={isMissing || left.length === 0}
            >
              {hasBegun ? text.bulk.goOn(left.length) : verb(doable.length)}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function refusalsIn(results: ReadonlyMap<string, RowResult>): number {
  return [...results.values()].filter((result) => 'refused' in result).length;
}

interface StandingProps {
  preview: Preview;
  result: RowResult | undefined;
  hasBegun: boolean;
}

const LOOKS = {
  done: { shape: '●', tone: 'good' },
  waived: { shape: '⊘', tone: 'over' },
  under_way: { shape: '◔', tone: 'busy' },
} as const satisfies Record<Accepted['standing'], { shape: string; tone: Tone }>;

/** Green only where it is done; what was taken on leads to where it is seen. */
function RowStanding({ preview, result, hasBegun }: StandingProps): ReactNode {
  if ('cannot' in preview) return <Mark shape="⊘" tone="over" word={preview.cannot} />;
  if (result === undefined) return hasBegun ? <Mark shape="○" tone="waiting" word={text.bulk.waits} /> : preview.will;
  if ('refused' in result) return <Mark shape="✕" tone="bad" word={result.refused} />;
  const { standing, said, caseId } = result.accepted;
  return (
    <span>
      <Mark {...LOOKS[standing]} word={said} />{' '}
      {caseId !== null && (
        <Link to="/cases/$caseId" params={{ caseId }}>
          {text.bulk.openCase}
        </Link>
      )}
    </span>
  );
}
