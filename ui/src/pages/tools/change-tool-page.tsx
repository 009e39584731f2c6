import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { connectorsQuery, toolQuery } from '../../api/queries.js';
import type { Connector, ToolDetails } from '../../api/types.js';
import { Loading, LoadedPage } from '../../parts/loaded.js';
import { Page } from '../../parts/section.js';
import { text } from '../../text/text.js';
import { ToolForm } from './tool-form.js';

const route = getRouteApi('/tools/$toolId/change');

export function ChangeToolPage(): ReactNode {
  const { toolId } = route.useParams();
  const query = useQuery(toolQuery(toolId));
  const { data: connectors } = useQuery(connectorsQuery);
  return (
    <LoadedPage query={query} title={text.accounts.tool}>
      {(tool) => {
        const connector = connectors?.items.find(({ id }) => id === tool.connector);
        return connector ? <ChangeTool key={tool.id} tool={tool} connector={connector} /> : <Loading lines={8} />;
      }}
    </LoadedPage>
  );
}

function ChangeTool({ tool, connector }: { tool: ToolDetails; connector: Connector }): ReactNode {
  const navigate = useNavigate();
  const { id, version } = tool;
  return (
    <Page title={text.tools.changeTitle(tool.name)} sub={connector.title}>
      <ToolForm
        connector={connector}
        tool={tool}
        verb={text.tools.save}
        send={({ key: _key, environment: _environment, secrets, ...word }) =>
          answerOf(
            api.PATCH('/v1/tools/{id}', {
              // Refused when somebody else changed it since this page read it.
              params: { path: { id }, header: { 'If-Match': `"${version}"` } },
              body: { ...word, ...(Object.keys(secrets).length > 0 && { secrets }) },
            }),
          )
        }
        onDone={() => void navigate({ to: '/tools/$toolId', params: { toolId: id } })}
      />
    </Page>
  );
}
