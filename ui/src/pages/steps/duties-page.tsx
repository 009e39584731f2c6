import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { callerQuery, connectorsQuery, endlessSteps, toolsQuery } from '../../api/queries.js';
import type { Step } from '../../api/types.js';
import { BulkDialog } from '../../bulk/bulk-dialog.js';
import { SelectionBar } from '../../bulk/selection-bar.js';
import { useSelection, type RowSelection } from '../../bulk/use-selection.js';
import { Choice } from '../../parts/choice.js';
import { Endless } from '../../parts/endless.js';
import { Filters } from '../../parts/filters.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page } from '../../parts/section.js';
import { Table } from '../../parts/table.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { previewDecision, type BulkDecision, type StepTool } from './bulk-decisions.js';

const route = getRouteApi('/duties');

/** All steps that need a person, so that what one cause stopped can be decided at once. */
export function DutiesPage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const tools = useTools();
  const query = useInfiniteQuery(endlessSteps({ ...filters, state: 'needs_human' }));
  const names = Object.fromEntries([...tools].map(([id, { name }]) => [id, name]));
  return (
    <Page title={text.overview.needsYou} sub={text.duties.sub}>
      <Filters>
        <Choice
          label={text.accounts.tool}
          value={filters.toolId}
          values={Object.keys(names)}
          words={names}
          onChange={(toolId) => void navigate({ search: (before) => ({ ...before, toolId }), replace: true })}
        />
      </Filters>
      <Endless query={query} none={text.overview.nothing}>
        {(steps) => <Duties steps={steps} tools={tools} />}
      </Endless>
    </Page>
  );
}

type Tools = ReadonlyMap<string, StepTool>;

function useTools(): Tools {
  const mayRead = useMay()('tools:read');
  const { data: tools } = useQuery({ ...toolsQuery, enabled: mayRead });
  const { data: connectors } = useQuery({ ...connectorsQuery, enabled: mayRead });
  const byHand = (connectors?.items ?? []).filter(({ kind }) => kind === 'human').map(({ id }) => id);
  return new Map(
    (tools?.items ?? []).map(({ id, name, connector, state }) => [
      id,
      { name, isByHand: byHand.includes(connector), isPaused: state === 'paused' },
    ]),
  );
}

function Duties({ steps, tools }: { steps: readonly Step[]; tools: Tools }): ReactNode {
  const mayDecide = useMay()('steps:decide');
  const selection = useSelection(steps);
  const nameOf = ({ act, toolId }: Step): string =>
    `${text.cases.act[act]} ${text.cases.at(tools.get(toolId)?.name ?? text.accounts.someTool)}`;
  return (
    <>
      {mayDecide && (
        <SelectionBar selection={selection} count={steps.length}>
          <Decisions selection={selection} tools={tools} nameOf={nameOf} />
        </SelectionBar>
      )}
      <Table
        rows={steps}
        choosing={mayDecide ? { selection, nameOf } : undefined}
        columns={[
          {
            name: text.duties.what,
            cell: (step) => (
              <Link to="/cases/$caseId" params={{ caseId: step.caseId }}>
                {nameOf(step)}
              </Link>
            ),
          },
          { name: text.duties.whose, cell: ({ personId }) => <PersonLink id={personId} /> },
          { name: text.duties.why, cell: ({ reason }) => <span className="long">{reason}</span> },
          { name: text.duties.owner, cell: ({ owner }) => owner },
          { name: text.duties.due, cell: ({ deadline }) => deadline !== null && <Instant at={deadline} /> },
        ]}
      />
    </>
  );
}

interface DecisionsProps {
  selection: RowSelection<Step>;
  tools: Tools;
  nameOf: (step: Step) => string;
}

function Decisions({ selection, tools, nameOf }: DecisionsProps): ReactNode {
  const [asked, setAsked] = useState<BulkDecision | null>(null);
  const { data: caller } = useQuery(callerQuery);
  const close = (): void => setAsked(null);
  const shared = (decision: BulkDecision) => ({
    selection,
    nameOf,
    detailOf: ({ personId }: Step) => <PersonLink id={personId} />,
    verb: text.duties[decision].verb,
    means: text.duties[decision].means,
    preview: (step: Step) => previewDecision(step, decision, tools.get(step.toolId), caller?.personId ?? null),
    onClose: close,
  });
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setAsked('retry')}>
        {text.duties.retry.open}
      </Button>
      <Button size="xs" variant="default" onClick={() => setAsked('waive')}>
        {text.cases.waive}
      </Button>
      {asked === 'retry' && (
        <BulkDialog
          {...shared('retry')}
          act={async ({ id }, _sentence, header) => {
            const { caseId } = await answerOf(api.POST('/v1/steps/{id}/retry', { params: { path: { id }, header } }));
            return { standing: 'under_way', said: text.duties.retry.said, caseId };
          }}
        />
      )}
      {asked === 'waive' && (
        <BulkDialog
          {...shared('waive')}
          danger
          ask={text.cases.waiveReason}
          act={async ({ id }, reason, header) => {
            const params = { path: { id }, header };
            const { state } = await answerOf(api.POST('/v1/steps/{id}/waive', { params, body: { reason } }));
            return { standing: 'waived', said: text.states.step[state], caseId: null };
          }}
        />
      )}
    </>
  );
}
