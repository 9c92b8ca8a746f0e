;; Functions of the reference that take an exponential of each element, two float64 at a time. Addresses are bytes.
;; elements.ts has the same in JavaScript: the same operations in the same order, bit for bit.
(module
  (memory (export "memory") 1)

  ;; What exp reads: log2(e), ln 2 in two parts, the least and the largest argument, and 1/13!, 1/12! … 1/0!. It is
  ;; written by elements.ts at the start of the memory.

  ;; exp(x): with n the whole number next to x/ln 2, the series of exp(x − n·ln 2), times 2^n.
  (func $exp (param $x v128) (result v128)
    (local $c v128) (local $n v128) (local $r v128) (local $p v128)
    ;; NaN stays: it is less than nothing.
    (local.set $c (f64x2.pmin (f64x2.pmax (local.get $x) (v128.load64_splat offset=24 (i32.const 0)))
                              (v128.load64_splat offset=32 (i32.const 0))))
    (local.set $n (f64x2.nearest (f64x2.mul (local.get $c) (v128.load64_splat (i32.const 0)))))
    (local.set $r (f64x2.sub
      (f64x2.sub (local.get $c) (f64x2.mul (local.get $n) (v128.load64_splat offset=8 (i32.const 0))))
      (f64x2.mul (local.get $n) (v128.load64_splat offset=16 (i32.const 0)))))
    (local.set $p (v128.load64_splat offset=40 (i32.const 0)))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=48 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=56 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=64 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=72 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=80 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=88 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=96 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=104 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=112 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=120 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=128 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=136 (i32.const 0))))
    (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $r)) (v128.load64_splat offset=144 (i32.const 0))))
    ;; 2^n by its exponent; below the least argument the result is 0.
    (v128.andnot
      (f64x2.mul
        (local.get $p)
        (i64x2.shl
          (i64x2.add (i64x2.extend_low_i32x4_s (i32x4.trunc_sat_f64x2_s_zero (local.get $n)))
                     (v128.const i64x2 1023 1023))
          (i32.const 52)))
      (f64x2.lt (local.get $x) (v128.load64_splat offset=24 (i32.const 0)))))

  ;; Softmax of each of $rows rows of $pairs pairs, which lie one after another from $at on, in their place. A row of an
  ;; odd length ends with -Infinity.
  (func (export "softmax") (param $at i32) (param $rows i32) (param $pairs i32)
    (local $p i32) (local $end i32) (local $max v128) (local $sum v128) (local $e v128)
    (if (i32.or (i32.eqz (local.get $rows)) (i32.eqz (local.get $pairs))) (then (return)))
    (loop $each
      (local.set $end (i32.add (local.get $at) (i32.shl (local.get $pairs) (i32.const 4))))
      (local.set $max (v128.const f64x2 -inf -inf))
      (local.set $p (local.get $at))
      (loop $largest
        (local.set $max (f64x2.pmax (local.get $max) (v128.load (local.get $p))))
        (br_if $largest (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (local.get $end))))
      (local.set $max (f64x2.pmax (local.get $max)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $max) (local.get $max))))
      (local.set $sum (v128.const f64x2 0 0))
      (local.set $p (local.get $at))
      (loop $exps
        (local.set $e (call $exp (f64x2.sub (v128.load (local.get $p)) (local.get $max))))
        (v128.store (local.get $p) (local.get $e))
        (local.set $sum (f64x2.add (local.get $sum) (local.get $e)))
        (br_if $exps (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (local.get $end))))
      (local.set $sum (f64x2.add (local.get $sum)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sum) (local.get $sum))))
      (local.set $p (local.get $at))
      (loop $shares
        (v128.store (local.get $p) (f64x2.div (v128.load (local.get $p)) (local.get $sum)))
        (br_if $shares (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (local.get $end))))
      (local.set $at (local.get $end))
      (br_if $each (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; x / (1 + exp(x·($linear + $cubic·x²))) of each of $pairs pairs from $at on, in their place.
  (func (export "gate") (param $at i32) (param $pairs i32) (param $linear f64) (param $cubic f64)
    (local $end i32) (local $x v128) (local $a v128) (local $b v128) (local $one v128)
    (if (i32.eqz (local.get $pairs)) (then (return)))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $pairs) (i32.const 4))))
    (local.set $a (f64x2.splat (local.get $linear)))
    (local.set $b (f64x2.splat (local.get $cubic)))
    (local.set $one (v128.const f64x2 1 1))
    (loop $each
      (local.set $x (v128.load (local.get $at)))
      (v128.store (local.get $at)
        (f64x2.div
          (local.get $x)
          (f64x2.add (local.get $one)
            (call $exp (f64x2.mul (local.get $x)
              (f64x2.add (local.get $a) (f64x2.mul (local.get $b) (f64x2.mul (local.get $x) (local.get $x)))))))))
      (br_if $each (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))))
