import { BenchTool, ToolRoom } from './bench-tool.js';
import type { ToolNews, ToolOrder } from './tool-orders.js';

/** The fake tools, in a process of their own: `tool-process <how many>`. It ends with the bench that started it. */
const room = new ToolRoom();
const tools = Array.from({ length: Number(process.argv[2]) }, (_, index) => new BenchTool(index, room));
const tell = (news: ToolNews): void => void process.send?.(news);

process.on('message', (order: ToolOrder) => {
  if (order.order === 'latency') room.latency = order.milliseconds;
  else tell({ news: 'taken', id: order.id, taken: room.take() });
});
process.on('disconnect', () => process.exit());

tell({ news: 'listening', ports: await Promise.all(tools.map((tool) => tool.listen())) });
