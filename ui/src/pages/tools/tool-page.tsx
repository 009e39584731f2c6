import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { connectorsQuery, toolQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import type { ToolDetails } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Fact } from '../../parts/fact.js';
import { LoadedPage } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { Capabilities } from './capabilities.js';
import { NobodysAccounts } from './nobodys-accounts.js';
import { toolLooks } from './tool-looks.js';

const route = getRouteApi('/tools/$toolId');

export function ToolPage(): ReactNode {
  const { toolId } = route.useParams();
  const query = useQuery(toolQuery(toolId));
  return (
    <LoadedPage key={toolId} query={query} title={text.accounts.tool}>
      {(tool) => <ShownTool tool={tool} />}
    </LoadedPage>
  );
}

function ShownTool({ tool }: { tool: ToolDetails }): ReactNode {
  const { data: connectors } = useQuery(connectorsQuery);
  const may = useMay();
  const connector = connectors?.items.find(({ id }) => id === tool.connector);
  return (
    <Page
      title={tool.name}
      sub={
        <>
          <Mark {...toolLooks(tool)} /> · {connector?.title ?? tool.connector} ·{' '}
          {text.tools.environment[tool.environment]}
        </>
      }
      acts={<ToolActs tool={tool} />}
    >
      {tool.state === 'paused' && (
        <div className="notice notice-bad">
          <p className="notice-title">‖ {text.tools.isPaused}</p>
          <p>{tool.pauseReason}</p>
          {tool.pausedUntil !== null && (
            <p>
              {text.tools.pausedUntil} <Instant at={tool.pausedUntil} />
            </p>
          )}
        </div>
      )}
      <Check toolId={tool.id} />
      <dl className="facts">
        <Fact name={text.tools.key}>{tool.key}</Fact>
        <Fact name={text.tools.owners}>{tool.owners.join(', ')}</Fact>
        <Fact name={text.tools.ownPrincipal}>{tool.ownPrincipal ?? text.tools.unknown}</Fact>
        <Fact name={text.tools.budget}>{text.tools.budgetOf(tool.maxConcurrency, tool.callsPerSecond)}</Fact>
        <Fact name={text.tools.secrets}>{tool.secrets.join(', ') || text.tools.noSecrets}</Fact>
      </dl>
      {connector && (
        <Section title={text.tools.capabilities} count={connector.capabilities.length}>
          <Capabilities of={connector} />
        </Section>
      )}
      {may('accounts:read') && connector?.kind === 'api' && <NobodysAccounts toolId={tool.id} />}
    </Page>
  );
}

/** Asks the tool now, and says what these credentials may not do. */
function Check({ toolId }: { toolId: string }): ReactNode {
  const may = useMay();
  const check = useMutation({
    mutationFn: () => answerOf(api.POST('/v1/tools/{id}/check', { params: { path: { id: toolId } } })),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['tool'] }),
  });
  if (!may('tools:write')) return null;
  const { data } = check;
  return (
    <Section
      title={text.tools.check}
      acts={
        <Button size="xs" onClick={() => check.mutate()} loading={check.isPending}>
          {text.tools.checkNow}
        </Button>
      }
    >
      {check.error && <ProblemNotice error={check.error} />}
      <div role="status">
        {data && data.problem !== null && (
          <p>
            <Mark shape="▲" tone="bad" word={data.problem.message} /> {data.problem.remedy}
          </p>
        )}
        {data?.answered && (
          <p>
            <Mark shape="●" tone="good" word={text.tools.answered(data.principal, data.toolVersion)} />
          </p>
        )}
        {data?.answered && data.missing.length === 0 && <p>{text.tools.nothingMissing}</p>}
      </div>
      {data && data.missing.length > 0 && (
        <ul className="rows">
          {data.missing.map(({ capability, permission, remedy }) => (
            <li key={capability} className="row-plain">
              <span className="row-name">▲ {capability}</span>
              <span className="row-detail">
                {permission}: {remedy}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function ToolActs({ tool: { id, name, state } }: { tool: ToolDetails }): ReactNode {
  const may = useMay();
  const [asked, setAsked] = useState<'pause' | 'resume' | null>(null);
  const close = (): void => setAsked(null);
  if (!may('tools:write') || state === 'retired') return null;
  const params = { path: { id } };
  return (
    <>
      <Link to="/tools/$toolId/change" params={{ toolId: id }} className="act-link">
        {text.tools.change}
      </Link>
      <Button variant="default" onClick={() => setAsked(state === 'paused' ? 'resume' : 'pause')}>
        {state === 'paused' ? text.tools.resume : text.tools.pause}
      </Button>
      {asked === 'pause' && (
        <ActDialog
          title={text.tools.pauseTitle(name)}
          verb={text.tools.pause}
          ask={{ label: text.tools.pauseReason, required: true }}
          act={(reason) => answerOf(api.POST('/v1/tools/{id}/pause', { params, body: { reason, until: null } }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.tools.pauseMeans}</p>
        </ActDialog>
      )}
      {asked === 'resume' && (
        <ActDialog
          title={text.tools.resumeTitle(name)}
          verb={text.tools.resume}
          act={() => answerOf(api.POST('/v1/tools/{id}/resume', { params }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.tools.resumeMeans}</p>
        </ActDialog>
      )}
    </>
  );
}
