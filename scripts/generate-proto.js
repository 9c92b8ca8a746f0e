// Writes src/proto/generated from src/proto/*.proto. Needs `protoc` (Debian: protobuf-compiler); only run when a
// .proto file changes, the result is committed.
import { execFileSync } from 'node:child_process'

execFileSync(
  'protoc',
  [
    '--plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es',
    '--es_out=src/proto/generated',
    '--es_opt=target=ts,import_extension=js,json_types=true',
    '--proto_path=src/proto',
    'tensorflow.proto',
    'onnx.proto',
  ],
  { stdio: 'inherit' },
)
