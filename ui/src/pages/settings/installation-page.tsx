import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { callerQuery } from '../../api/queries.js';
import { checkpointQuery, healthQuery, witnessesQuery } from '../../api/settings-queries.js';
import type { Health, Witness } from '../../api/types.js';
import { Copyable } from '../../parts/copyable.js';
import { Fact } from '../../parts/fact.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { SettingsFrame } from './settings-frame.js';

const words = text.settings.installation;

/** What this installation says of itself; nothing of it is changed here. */
export function InstallationPage(): ReactNode {
  const { data: caller } = useQuery(callerQuery);
  const health = useQuery(healthQuery);
  return (
    <SettingsFrame words={words}>
      <Section title={words.service}>
        <Loaded query={health}>
          {({ keys, redis }) => (
            <dl className="facts">
              <Fact name={words.environment}>{caller && text.tools.environment[caller.environment]}</Fact>
              <Fact name={words.keys}>
                <Mark {...KEY_LOOKS[keys]} word={words.keysAre[keys]} />
              </Fact>
              <Fact name="Redis">
                <Mark {...REDIS_LOOKS[redis]} word={words.redisIs[redis]} />
              </Fact>
            </dl>
          )}
        </Loaded>
      </Section>
      <Checkpoint />
      <Witnesses />
    </SettingsFrame>
  );
}

const KEY_LOOKS = {
  up: { shape: '●', tone: 'good' },
  down: { shape: '▲', tone: 'bad' },
} as const satisfies Record<Health['keys'], object>;

const REDIS_LOOKS = {
  up: { shape: '●', tone: 'good' },
  down: { shape: '▲', tone: 'bad' },
  'not-configured': { shape: '○', tone: 'waiting' },
} as const satisfies Record<Health['redis'], object>;

function Checkpoint(): ReactNode {
  const query = useQuery(checkpointQuery);
  return (
    <Section title={words.checkpoint}>
      <p className="narrow">{words.checkpointMeans}</p>
      <Loaded query={query}>
        {({ size, sealedAt, checkpoint }) => (
          <div className="stack">
            <p>
              {words.entries(size)} · {words.sealed} <Instant at={sealedAt} />
            </p>
            <Copyable value={checkpoint} />
          </div>
        )}
      </Loaded>
    </Section>
  );
}

function Witnesses(): ReactNode {
  const query = useQuery(witnessesQuery);
  return (
    <Section title={words.witnesses} count={query.data?.items.length}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.noWitnesses}</Empty>
          ) : (
            <Table
              rows={items}
              columns={[
                { name: words.witness, cell: ({ name }) => <span className="long">{name}</span> },
                { name: words.cosigned, cell: (witness) => <Cosigned witness={witness} /> },
                { name: words.state, cell: (witness) => <WitnessState witness={witness} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
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
