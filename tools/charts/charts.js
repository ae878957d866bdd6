// All that the HTML report asks of d3: how a treemap is laid out. It draws them itself.
export { hierarchy, treemap, treemapSquarify } from "d3-hierarchy";
