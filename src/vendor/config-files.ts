/** What finds and parses configuration files, behind one module that the build bundles: few commands need it. */
export { lilconfig } from 'lilconfig'
export { parseDocument } from 'yaml'
