import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { tokensQuery } from '../../api/settings-queries.js';
import type { ApiToken } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Copyable } from '../../parts/copyable.js';
import { Dialog } from '../../parts/dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table, type Column } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { MakeToken } from './make-token.js';
import { Services } from './services.js';
import { SettingsFrame } from './settings-frame.js';
import { isStanding } from './token-state.js';

const words = text.settings.tokens;

/** What opens the API for programs, and who answers for it. */
export function TokensPage(): ReactNode {
  const mayChange = useMayEverywhere()('tokens:write');
  const query = useQuery(tokensQuery);
  const [isMaking, setMaking] = useState(false);
  /** The new token itself, until this is closed. */
  const [made, setMade] = useState<string | null>(null);
  return (
    <SettingsFrame words={words}>
      <Section
        title={words.tokens}
        count={query.data?.items.filter(isStanding).length}
        acts={
          mayChange && (
            <Button size="xs" onClick={() => setMaking(true)}>
              {words.make}
            </Button>
          )
        }
      >
        <Loaded query={query}>{({ items }) => <Tokens tokens={items} mayEnd={mayChange} />}</Loaded>
      </Section>
      <Services />
      {isMaking && (
        <MakeToken
          onDone={(token) => {
            setMaking(false);
            setMade(token);
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {made !== null && (
        <Dialog title={words.made} onClose={() => setMade(null)}>
          <div className="stack">
            <p>{words.madeMeans}</p>
            <Copyable value={made} />
          </div>
        </Dialog>
      )}
    </SettingsFrame>
  );
}

function Tokens({ tokens, mayEnd }: { tokens: readonly ApiToken[]; mayEnd: boolean }): ReactNode {
  const [ending, setEnding] = useState<ApiToken | null>(null);
  const close = (): void => setEnding(null);
  const standing = tokens.filter(isStanding);
  const ended = tokens.filter((token) => !isStanding(token));
  const columns: Column<ApiToken>[] = [
    { name: words.name, cell: ({ name }) => name },
    { name: words.owner, cell: (token) => <Owner token={token} /> },
    { name: words.may, cell: ({ scopes }) => <May scopes={scopes} /> },
    { name: words.lastUsed, cell: ({ lastUsedAt }) => (lastUsedAt ? <Instant at={lastUsedAt} /> : words.neverUsed) },
  ];
  const until: Column<ApiToken> = {
    name: words.until,
    cell: ({ expiresAt }) =>
      expiresAt === null ? <Mark shape="▲" tone="bad" word={words.noEnd} /> : <Instant at={expiresAt} />,
  };
  const act: Column<ApiToken> = {
    name: text.settings.acts,
    cell: (token) => (
      <Button
        size="compact-xs"
        variant="default"
        onClick={() => setEnding(token)}
        aria-label={text.devices.actOn(words.end, token.name)}
      >
        {words.end}
      </Button>
    ),
  };
  return (
    <>
      {standing.length === 0 ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table rows={standing} columns={[...columns, until, ...(mayEnd ? [act] : [])]} />
      )}
      {ended.length > 0 && (
        <details className="more">
          <summary>{words.ended(ended.length)}</summary>
          <Table
            rows={ended}
            columns={[...columns, { name: words.endedAt, cell: (token) => <Ended token={token} /> }]}
          />
        </details>
      )}
      {ending && (
        <ActDialog
          title={words.endTitle(ending.name)}
          verb={words.endVerb}
          danger
          act={() => answerOf(api.DELETE('/v1/tokens/{id}', { params: { path: { id: ending.id } } }))}
          onDone={close}
          onClose={close}
        >
          <p>{words.endMeans}</p>
        </ActDialog>
      )}
    </>
  );
}

function Owner({ token: { owner, ownerPersonId, servicePrincipalId } }: { token: ApiToken }): ReactNode {
  const isAnswered = ownerPersonId !== null || servicePrincipalId !== null;
  return (
    <span className="long">
      {owner} {!isAnswered && <Mark shape="▲" tone="bad" word={words.nobodyAnswers} />}
    </span>
  );
}

/** A token without scopes does what the roles let it do that were given to it. */
function May({ scopes }: { scopes: readonly string[] }): ReactNode {
  if (scopes.length === 0) return words.byRoles;
  return (
    <details className="more">
      <summary>{text.settings.roles.scopes(scopes.length)}</summary>
      {scopes.join(', ')}
    </details>
  );
}

function Ended({ token: { revokedAt, expiresAt } }: { token: ApiToken }): ReactNode {
  const at = revokedAt ?? expiresAt;
  return (
    <>
      {revokedAt === null ? words.expired : words.revoked} {at !== null && <Instant at={at} />}
    </>
  );
}
