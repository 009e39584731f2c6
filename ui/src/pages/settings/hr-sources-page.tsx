import { useState, type ReactNode } from 'react';
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { hrSourcesQuery } from '../../api/settings-queries.js';
import type { HrSource, HrSourceSecret } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Copyable } from '../../parts/copyable.js';
import { Dialog } from '../../parts/dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { keyFrom } from '../tools/settings-fields.js';
import { SettingsFrame } from './settings-frame.js';

const words = text.settings.hrSources;

type Asked = { act: 'add' } | { act: 'further' | 'drop'; source: HrSource };

/** Which HR systems may post events, with what they sign, and when each was last heard of. */
export function HrSourcesPage(): ReactNode {
  const mayChange = useMayEverywhere()('hr-sources:write');
  const query = useQuery(hrSourcesQuery);
  const [asked, setAsked] = useState<Asked | null>(null);
  /** The new secret itself, until this is closed. */
  const [made, setMade] = useState<HrSourceSecret | null>(null);
  const close = (): void => setAsked(null);
  const show = (secret: HrSourceSecret): void => {
    close();
    setMade(secret);
  };
  return (
    <SettingsFrame words={words}>
      <Section
        title={words.sources}
        count={query.data?.items.length}
        acts={
          mayChange && (
            <Button size="xs" onClick={() => setAsked({ act: 'add' })}>
              {words.add}
            </Button>
          )
        }
      >
        <p className="narrow">{words.how}</p>
        <Loaded query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>{words.none(`${window.location.origin}/hooks/hr/…`)}</Empty>
            ) : (
              <Sources sources={items} onAsk={mayChange ? setAsked : null} />
            )
          }
        </Loaded>
      </Section>
      {asked?.act === 'add' && <AddSource onDone={show} onClose={close} />}
      {asked?.act === 'further' && <AddSecret source={asked.source} onDone={show} onClose={close} />}
      {asked?.act === 'drop' && <DropOlder source={asked.source} onClose={close} />}
      {made && (
        <Dialog title={words.made} onClose={() => setMade(null)}>
          <div className="stack">
            <p>{words.madeMeans}</p>
            <Copyable value={made.secret} />
            <p>{words.postTo}</p>
            <Copyable value={made.address} />
          </div>
        </Dialog>
      )}
    </SettingsFrame>
  );
}

/** @param onAsk null for whoever may only look */
function Sources({
  sources,
  onAsk,
}: {
  sources: readonly HrSource[];
  onAsk: ((asked: Asked) => void) | null;
}): ReactNode {
  return (
    <Table
      rows={sources.map((source) => ({ ...source, id: source.name }))}
      columns={[
        { name: words.name, cell: ({ name }) => name },
        { name: words.address, cell: ({ address }) => <code className="long">{address}</code> },
        { name: words.secrets, cell: ({ secrets }) => <Secrets secrets={secrets} /> },
        {
          name: words.lastEvent,
          cell: ({ lastEventAt }) => (lastEventAt === null ? words.noEvent : <Instant at={lastEventAt} />),
        },
        ...(onAsk
          ? [{ name: text.settings.acts, cell: (source: HrSource) => <Acts source={source} onAsk={onAsk} /> }]
          : []),
      ]}
    />
  );
}

function Secrets({ secrets }: { secrets: HrSource['secrets'] }): ReactNode {
  return (
    <ul className="plain-list">
      {secrets.map(({ id, since }, place) => (
        <li key={id}>
          {secrets.length === 1 ? words.only : place === 0 ? words.older : words.newer} <Instant at={since} />
        </li>
      ))}
    </ul>
  );
}

function Acts({ source, onAsk }: { source: HrSource; onAsk: (asked: Asked) => void }): ReactNode {
  const button = (act: 'further' | 'drop', verb: string): ReactNode => (
    <Button
      size="compact-xs"
      variant="default"
      onClick={() => onAsk({ act, source })}
      aria-label={text.devices.actOn(verb, source.name)}
    >
      {verb}
    </Button>
  );
  return (
    <div className="row">
      {button('further', words.further)}
      {source.secrets.length > 1 && button('drop', words.drop)}
    </div>
  );
}

interface MakingProps {
  /** With the secret itself, which can't be read again. */
  onDone: (made: HrSourceSecret) => void;
  onClose: () => void;
}

function AddSource({ onDone, onClose }: MakingProps): ReactNode {
  const [name, setName] = useState('');
  return (
    <ActDialog
      title={words.addTitle}
      verb={words.addVerb}
      isIncomplete={name === ''}
      act={() => answerOf(api.POST('/v1/hr-sources', { body: { name } }))}
      onDone={onDone}
      onClose={onClose}
    >
      {(wrong) => (
        <>
          <TextInput
            label={words.name}
            description={words.nameMeans}
            error={wrong('/name')}
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            onBlur={() => setName(keyFrom(name))}
            required
            maxLength={63}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          <p>{words.addMeans}</p>
        </>
      )}
    </ActDialog>
  );
}

function AddSecret({ source: { name, secrets }, onDone, onClose }: MakingProps & { source: HrSource }): ReactNode {
  return (
    <ActDialog
      title={words.furtherTitle(name)}
      verb={words.furtherVerb}
      act={() => answerOf(api.POST('/v1/hr-sources/{name}/secrets', { params: { path: { name } } }))}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{secrets.length === 1 ? words.furtherMeans : words.furtherEnds}</p>
    </ActDialog>
  );
}

function DropOlder({ source: { name, secrets }, onClose }: { source: HrSource; onClose: () => void }): ReactNode {
  const [older] = secrets;
  if (!older) return null;
  return (
    <ActDialog
      title={words.dropTitle(name)}
      verb={words.dropVerb}
      danger
      act={() =>
        answerOf(api.DELETE('/v1/hr-sources/{name}/secrets/{id}', { params: { path: { name, id: older.id } } }))
      }
      onDone={onClose}
      onClose={onClose}
    >
      <p>
        {words.dropWhich} <Instant at={older.since} />. {words.dropMeans}
      </p>
    </ActDialog>
  );
}
