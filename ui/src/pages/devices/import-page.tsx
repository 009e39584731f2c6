import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { deviceImportQuery } from '../../api/device-queries.js';
import type { DeviceImport } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Choice } from '../../parts/choice.js';
import { Filters } from '../../parts/filters.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { IMPORT_SEARCH } from '../../search-params.js';
import { useMay } from '../../shell/caller.js';
import type { Tone } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const route = getRouteApi('/devices/import');

type Line = DeviceImport['lines'][number];

const LOOKS = {
  create: { shape: '○', tone: 'busy' },
  change: { shape: '◑', tone: 'busy' },
  unchanged: { shape: '⤼', tone: 'over' },
  error: { shape: '▲', tone: 'bad' },
} as const satisfies Record<Line['outcome'], { shape: string; tone: Tone }>;

/** A file of devices: what each line would do, then all of it or nothing. */
export function ImportPage(): ReactNode {
  const mayWrite = useMay()('devices:write');
  const { import: id } = route.useSearch();
  return (
    <Page title={text.imports.title} sub={text.imports.sub}>
      {mayWrite ? (
        <>
          <ChooseFile />
          {id !== undefined && <Preview id={id} />}
        </>
      ) : (
        <Empty>{text.imports.mayNot}</Empty>
      )}
    </Page>
  );
}

function ChooseFile(): ReactNode {
  const navigate = route.useNavigate();
  const send = useMutation({
    mutationFn: (file: File) =>
      answerOf(
        api.POST('/v1/devices/imports', {
          // The bytes as they are: the server finds out how they are encoded.
          body: '',
          bodySerializer: () => file,
          headers: { 'Content-Type': 'text/csv' },
        }),
      ),
    onSuccess: ({ id, counts }) =>
      void navigate({ search: { import: id, outcome: counts.error > 0 ? 'error' : undefined } }),
  });
  return (
    <div className="stack narrow">
      <label className="file-choice">
        <span>{text.imports.choose}</span>
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          disabled={send.isPending}
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file) send.mutate(file);
            // The same file chosen again, once it is mended, is another choice.
            currentTarget.value = '';
          }}
        />
      </label>
      <p className="dim small">{text.imports.columns}</p>
      {send.error && <ProblemNotice error={send.error} />}
    </div>
  );
}

function Preview({ id }: { id: string }): ReactNode {
  const query = useQuery(deviceImportQuery(id));
  return (
    <Loaded query={query} lines={8}>
      {(shown) => <ShownImport key={shown.id} shown={shown} />}
    </Loaded>
  );
}

/** Lines that are shown at once. */
const MOST = 100;

function ShownImport({ shown }: { shown: DeviceImport }): ReactNode {
  const { outcome } = route.useSearch();
  const navigate = route.useNavigate();
  const [most, setMost] = useState(MOST);
  const lines = shown.lines.filter((line) => outcome === undefined || line.outcome === outcome);
  return (
    <Section title={text.imports.preview} count={shown.lines.length}>
      <Verdict shown={shown} />
      <Filters>
        <Choice
          label={text.imports.outcomeLabel}
          value={outcome}
          values={IMPORT_SEARCH.outcome}
          words={text.imports.outcome}
          onChange={(chosen) => void navigate({ search: (before) => ({ ...before, outcome: chosen }), replace: true })}
        />
      </Filters>
      {lines.length === 0 ? (
        <Empty>{text.imports.none}</Empty>
      ) : (
        <Table
          rows={lines.slice(0, most).map((line) => ({ ...line, id: String(line.line) }))}
          columns={[
            { name: text.imports.line, cell: ({ line }) => line },
            {
              name: text.imports.outcomeLabel,
              cell: (line) => <Mark {...LOOKS[line.outcome]} word={text.imports.outcome[line.outcome]} />,
            },
            { name: text.devices.assetTag, cell: (line) => <Tag line={line} /> },
            { name: text.devices.serial, cell: ({ serial }) => serial },
            { name: text.imports.what, cell: (line) => <What line={line} /> },
          ]}
        />
      )}
      {lines.length > most && (
        <Button variant="default" onClick={() => setMost(most + MOST)}>
          {text.more}
        </Button>
      )}
    </Section>
  );
}

function Tag({ line: { assetTag, deviceId } }: { line: Line }): ReactNode {
  if (deviceId === null) return assetTag;
  return (
    <Link to="/devices/$deviceId" params={{ deviceId }}>
      {assetTag}
    </Link>
  );
}

/** What is wrong with a line and what to do, or what it writes. */
function What({ line: { problems, change } }: { line: Line }): ReactNode {
  const words: Readonly<Record<string, string>> = text.imports.column;
  if (problems.length === 0) {
    const changed = Object.keys(change).map((name) => words[name] ?? name);
    return <span className="dim">{changed.join(', ')}</span>;
  }
  return (
    <ul className="plain-list">
      {problems.map(({ column, detail }) => (
        <li key={`${column ?? ''} ${detail}`}>
          {column !== null && <code>{column}</code>} {detail}
        </li>
      ))}
    </ul>
  );
}

/** What applying it would do, or did; with a line in error nothing can be applied. */
function Verdict({ shown: { id, counts, appliedAt, appliedBy } }: { shown: DeviceImport }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const writes = counts.create + counts.change;
  const close = (): void => setAsked(false);
  if (appliedAt !== null) {
    return (
      <p role="status">
        <Mark shape="●" tone="good" word={text.imports.applied(counts.create, counts.change)} />{' '}
        <span className="dim">
          {appliedBy} <Instant at={appliedAt} />
        </span>
      </p>
    );
  }
  if (counts.error > 0) {
    return (
      <p role="status">
        <Mark shape="▲" tone="bad" word={text.imports.hasErrors(counts.error)} />
      </p>
    );
  }
  if (writes === 0) return <p role="status">{text.imports.nothingToDo}</p>;
  return (
    <>
      <p role="status">{text.imports.would(counts.create, counts.change, counts.unchanged)}</p>
      <p className="thumb">
        <Button onClick={() => setAsked(true)}>{text.imports.apply(writes)}</Button>
      </p>
      {isAsked && (
        <ActDialog
          title={text.imports.applyTitle}
          verb={text.imports.apply(writes)}
          act={() => answerOf(api.POST('/v1/devices/imports/{id}/apply', { params: { path: { id } } }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.imports.would(counts.create, counts.change, counts.unchanged)}</p>
          <p className="dim">{text.imports.allOrNothing}</p>
        </ActDialog>
      )}
    </>
  );
}
