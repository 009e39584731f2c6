import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { connectorsQuery, toolsQuery } from '../../api/queries.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Page } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { toolLooks } from './tool-looks.js';

export function ToolsPage(): ReactNode {
  const may = useMay();
  const query = useQuery(toolsQuery);
  const { data: connectors } = useQuery(connectorsQuery);
  return (
    <Page
      title={text.nav.tools}
      acts={
        may('tools:write') && (
          <Link to="/tools/new" className="act-link">
            {text.tools.newTool}
          </Link>
        )
      }
    >
      <Loaded query={query} lines={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{text.tools.none}</Empty>
          ) : (
            <ul className="rows">
              {items.map((tool) => (
                <li key={tool.id}>
                  <Link to="/tools/$toolId" params={{ toolId: tool.id }} className="row-link" data-row>
                    <span className="row-name">{tool.name}</span>
                    <span className="row-detail">
                      {connectors?.items.find(({ id }) => id === tool.connector)?.title ?? tool.connector} ·{' '}
                      {text.tools.environment[tool.environment]}
                    </span>
                    <span>
                      <Mark {...toolLooks(tool)} />
                      {tool.checkedAt !== null && (
                        <span className="dim small">
                          {' '}
                          {text.tools.checked} <Instant at={tool.checkedAt} />
                        </span>
                      )}
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}
