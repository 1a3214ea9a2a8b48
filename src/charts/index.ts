/** Charts of what was measured, as SVG that stands in a page or alone. */
export { type CasesChartOptions, type CasesSeries, casesChart } from './casesChart.js';
export type { ChartOptions } from './draw.js';
export { type HistoryChartOptions, type HistorySeries, historyChart } from './historyChart.js';
export { type LegendEntry, legendSample } from './legend.js';
export { CHART_CLASS, chartRules } from './styles.js';
