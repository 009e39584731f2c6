import { useState, type ReactNode } from 'react';
import { Button, Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { witnessesQuery } from '../../api/settings-queries.js';
import type { Witness } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const words = text.settings.installation;

/** Who cosigns the audit log, as somebody whom this installation's administrators have no power over. */
export function Witnesses(): ReactNode {
  const mayChange = useMayEverywhere()('audit:write');
  const query = useQuery(witnessesQuery);
  const [asked, setAsked] = useState<'new' | Witness | null>(null);
  const close = (): void => setAsked(null);
  return (
    <Section
      title={words.witnesses}
      count={query.data?.items.length}
      acts={
        mayChange && (
          <Button size="xs" onClick={() => setAsked('new')}>
            {words.addWitness}
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.noWitnesses}</Empty>
          ) : (
            <Table
              rows={items}
              columns={[
                { name: words.witness, cell: ({ name }) => <span className="long">{name}</span> },
                { name: words.witnessUrl, cell: ({ url }) => <span className="long">{url}</span> },
                { name: words.cosigned, cell: (witness) => <Cosigned witness={witness} /> },
                { name: words.state, cell: (witness) => <WitnessState witness={witness} /> },
                ...(mayChange
                  ? [
                      {
                        name: text.settings.acts,
                        cell: (witness: Witness) => (
                          <Button
                            size="compact-xs"
                            variant="default"
                            onClick={() => setAsked(witness)}
                            aria-label={text.devices.actOn(words.removeWitness, witness.name)}
                          >
                            {words.removeWitness}
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Loaded>
      {asked === 'new' && <AddWitness onClose={close} />}
      {asked !== null && asked !== 'new' && (
        <ActDialog
          title={words.removeWitnessTitle(asked.name)}
          verb={words.removeWitnessVerb}
          danger
          act={() => answerOf(api.DELETE('/v1/audit/witnesses/{id}', { params: { path: { id: asked.id } } }))}
          onDone={close}
          onClose={close}
        >
          <p>{words.removeWitnessMeans}</p>
        </ActDialog>
      )}
    </Section>
  );
}

function AddWitness({ onClose }: { onClose: () => void }): ReactNode {
  const [url, setUrl] = useState('');
  const [key, setKey] = useState('');
  const [allowPrivateAddresses, setInside] = useState(false);
  const body = { url: url.trim(), key: key.trim(), allowPrivateAddresses };
  return (
    <ActDialog
      title={words.addWitnessTitle}
      verb={words.addWitnessVerb}
      isIncomplete={body.url === '' || body.key === ''}
      act={() => answerOf(api.POST('/v1/audit/witnesses', { body }))}
      onDone={onClose}
      onClose={onClose}
    >
      {(wrong) => (
        <>
          <p>{words.addWitnessMeans}</p>
          <TextInput
            label={words.witnessUrl}
            description={words.witnessUrlMeans}
            error={wrong('/url')}
            value={url}
            onChange={({ currentTarget }) => setUrl(currentTarget.value)}
            required
            maxLength={2_000}
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          <TextInput
            label={words.witnessKey}
            description={words.witnessKeyMeans}
            error={wrong('/key')}
            value={key}
            onChange={({ currentTarget }) => setKey(currentTarget.value)}
            required
            maxLength={1_000}
            autoComplete="off"
            spellCheck={false}
          />
          <Checkbox
            label={words.inside}
            description={text.tools.insideMeans}
            checked={allowPrivateAddresses}
            onChange={({ currentTarget }) => setInside(currentTarget.checked)}
          />
        </>
      )}
    </ActDialog>
  );
}

function Cosigned({ witness: { cosignedAt, size } }: { witness: Witness }): ReactNode {
  if (cosignedAt === null) return words.never;
  return (
    <>
      {words.entries(size)} · <Instant at={cosignedAt} />
    </>
  );
}

function WitnessState({ witness: { failingSince, problem, cosignedAt } }: { witness: Witness }): ReactNode {
  if (failingSince !== null) {
    return (
      <>
        <Mark shape="▲" tone="bad" word={words.fails} /> <Instant at={failingSince} />
        {problem !== null && <span className="small dim need-why">{problem}</span>}
      </>
    );
  }
  if (cosignedAt === null) return <Mark shape="○" tone="waiting" word={words.notYet} />;
  return <Mark shape="●" tone="good" word={words.cosigns} />;
}
