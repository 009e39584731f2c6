import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { callerQuery } from '../../api/queries.js';
import { checkpointQuery, healthQuery, installationQuery } from '../../api/settings-queries.js';
import type { Health } from '../../api/types.js';
import { Copyable } from '../../parts/copyable.js';
import { Fact } from '../../parts/fact.js';
import { Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { SettingsFrame } from './settings-frame.js';
import { Witnesses } from './witnesses.js';

const words = text.settings.installation;

/** What this installation says of itself, and who cosigns its audit log. */
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
      <SetUp />
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

function SetUp(): ReactNode {
  const query = useQuery(installationQuery);
  return (
    <Section title={words.setUp}>
      <Loaded query={query}>
        {({ version, audit: { sealed, dropped }, observationsKeptDays, sealingKeys }) => (
          <>
            <dl className="facts">
              <Fact name={words.version}>{version}</Fact>
              <Fact name={words.auditKept}>
                {dropped === 0 ? words.keepsAll(sealed) : words.keepsNewest(sealed - dropped, dropped)}
              </Fact>
              <Fact name={words.observationsKept}>
                {observationsKeptDays === null ? words.keptForGood : words.keptDays(observationsKeptDays)}
              </Fact>
            </dl>
            <Table
              rows={sealingKeys.map((key, place) => ({ ...key, id: String(place) }))}
              columns={[
                { name: words.keyFor, cell: ({ ring }) => words.ring[ring] },
                { name: words.provider, cell: ({ provider }) => provider },
                { name: words.keyName, cell: ({ keyName }) => <code className="long">{keyName}</code> },
                { name: words.state, cell: ({ state }) => words.keyState[state] },
              ]}
            />
          </>
        )}
      </Loaded>
    </Section>
  );
}

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
