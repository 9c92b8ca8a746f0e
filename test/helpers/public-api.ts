import { relative } from 'node:path'
import ts from 'typescript'
import { ROOT } from './run.js'

/** The checked program of src/, and what one of its modules exports. */
export interface PublicApi {
  readonly program: ts.Program
  readonly checker: ts.TypeChecker
  /** Symbols that the module exports, by public name; re-exports are resolved. */
  readonly exports: ReadonlyMap<string, ts.Symbol>
}

/** Modules that the package exports. */
export const ENTRIES = ['index.ts', 'model-entry.ts', 'browser-entry.ts'] as const
export type Entry = (typeof ENTRIES)[number]

const fileOf = (entry: Entry): string => `${ROOT}src/${entry}`

/** The program of all entries; it is made once, because that takes seconds. */
export function makeProgram(): ts.Program {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined }
  const { options } = ts.getParsedCommandLineOfConfigFile(`${ROOT}tsconfig.json`, { removeComments: true }, host)!
  return ts.createProgram(ENTRIES.map(fileOf), options)
}

/** Reads what `entry` exports. */
export function readPublicApi(entry: Entry, program: ts.Program): PublicApi {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(fileOf(entry))!)!
  const resolve = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return {
    program,
    checker,
    exports: new Map(checker.getExportsOfModule(module).map((one) => [one.name, resolve(one)])),
  }
}

const isPrivate = (node: ts.Node): boolean =>
  ts.isClassElement(node) &&
  ((node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
    (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0)

/** Types of src/ that a user of `api` meets in a signature and cannot name, as `Name (file, reached from Export)`. */
export function unnamedTypes({ checker, exports }: PublicApi): string[] {
  const named = new Set(exports.values())
  const seen = new Set<ts.Symbol>()
  const missing: string[] = []
  const own = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.some((one) => one.getSourceFile().fileName.startsWith(`${ROOT}src/`)) ?? false
  const visit = (symbol: ts.Symbol, from: string): void => {
    if (seen.has(symbol)) return
    seen.add(symbol)
    if (!own(symbol) || symbol.flags & ts.SymbolFlags.TypeParameter) return
    if (!named.has(symbol) && symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Enum))
      missing.push(
        `${symbol.name} (${relative(ROOT, symbol.declarations![0]!.getSourceFile().fileName)}, from ${from})`,
      )
    for (const declaration of symbol.declarations ?? []) walk(declaration, from)
  }
  /** Visits every type that is named below `node`, bodies and private members left out. */
  const walk = (node: ts.Node, from: string): void => {
    if (ts.isBlock(node) || isPrivate(node)) return
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node) || ts.isTypeQueryNode(node)) {
      const name = ts.isTypeReferenceNode(node)
        ? node.typeName
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : node.expression
      const found = checker.getSymbolAtLocation(name)
      const target = found && found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found
      // `(typeof LIST)[number]` names a value: only its own types count.
      if (target !== undefined && !(ts.isTypeQueryNode(node) && !(target.flags & ts.SymbolFlags.Type)))
        visit(target, from)
    }
    const bare = ts.isFunctionLike(node)
      ? node.type === undefined
      : ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)
        ? node.type === undefined
        : false
    if (bare) inferred(node, from)
    if (ts.isExpression(node) && !ts.isExpressionWithTypeArguments(node) && !ts.isFunctionLike(node)) return
    ts.forEachChild(node, (child) => {
      walk(child, from)
    })
  }
  /** Visits the types of a declaration that writes none. */
  const inferred = (node: ts.Node, from: string): void => {
    const type = checker.getTypeAtLocation(node)
    for (const signature of type.getCallSignatures()) visitType(checker.getReturnTypeOfSignature(signature), from)
    if (type.getCallSignatures().length === 0) visitType(type, from)
  }
  const visitType = (type: ts.Type, from: string): void => {
    const symbol = type.aliasSymbol ?? type.getSymbol()
    if (symbol !== undefined && symbol.name !== '__type' && symbol.name !== '__object') visit(symbol, from)
    for (const one of type.isUnionOrIntersection() ? type.types : checker.getTypeArguments(type as ts.TypeReference))
      if (one !== type && !seenTypes.has(one)) {
        seenTypes.add(one)
        visitType(one, from)
      }
  }
  const seenTypes = new Set<ts.Type>()
  for (const [name, symbol] of exports) visit(symbol, name)
  return missing.sort()
}

/** Every export with its declaration, as a declaration file has it, sorted by name. */
export function apiText({ program, exports }: PublicApi): string {
  const files = new Map<string, ts.SourceFile>()
  const declarationsOf = (source: ts.SourceFile): ts.SourceFile => {
    let file = files.get(source.fileName)
    if (file === undefined) {
      let text = ''
      program.emit(source, (_, written) => (text = written), undefined, true)
      files.set(source.fileName, (file = ts.createSourceFile('x.d.ts', text, ts.ScriptTarget.Latest, true)))
    }
    return file
  }
  const printer = ts.createPrinter({ removeComments: true })
  const named = (statement: ts.Statement, name: string): boolean =>
    ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.some((one) => ts.isIdentifier(one.name) && one.name.text === name)
      : ts.isDeclarationStatement(statement) && statement.name?.getText(statement.getSourceFile()) === name
  const declared = ([name, symbol]: [string, ts.Symbol]): string => {
    const files = new Set(symbol.declarations!.map((one) => declarationsOf(one.getSourceFile())))
    const texts = [...files].flatMap((file) =>
      file.statements
        .filter((statement) => named(statement, symbol.name))
        .map((statement) => printer.printNode(ts.EmitHint.Unspecified, statement, file)),
    )
    return `${name}\n${texts.join('\n').replace(/^/gm, '  ')}`
  }
  return `${[...exports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(declared)
    .join('\n')}\n`
}
