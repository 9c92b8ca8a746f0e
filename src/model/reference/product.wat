;; The inner loops of the reference's matrix products. Addresses and steps are bytes.
;;
;; multiply: c += a · b in float64, for blocks that are packed.
;;
;; a: panels of 4 rows, of which each holds a[0..3, k] for one k after another (32 bytes a k)
;; b: panels of 4 columns, of which each holds b[k, 0..3] for one k after another (32 bytes a k)
;; c: rows of float64, $c_row bytes apart
;;
;; Each of the 4 × 4 sums of a tile takes its terms in the order of k, as a plain loop would: no sum is split, and
;; multiplication and addition round separately.
;;
;; pack: makes panels of 4 columns of rows of float32, sixteen columns at a time.
(module
  (memory (export "memory") 1)

  (func (export "multiply")
    (param $a i32) (param $b i32) (param $c i32)
    (param $inner i32)                            ;; number of k
    (param $a_panels i32) (param $b_panels i32)
    (param $a_step i32) (param $b_step i32)       ;; from panel to panel
    (param $c_row i32)
    (local $i i32) (local $pa i32) (local $pb i32) (local $end i32) (local $from i32) (local $tile i32)
    (local $r0 i32) (local $r1 i32) (local $r2 i32) (local $r3 i32)
    (local $x v128) (local $left v128) (local $right v128)
    (local $s00 v128) (local $s01 v128) (local $s10 v128) (local $s11 v128)
    (local $s20 v128) (local $s21 v128) (local $s30 v128) (local $s31 v128)

    (if (i32.or (i32.eqz (local.get $a_panels)) (i32.eqz (local.get $b_panels))) (then (return)))
    (loop $columns
      (local.set $i (local.get $a_panels))
      (local.set $from (local.get $a))
      (local.set $tile (local.get $c))
      (loop $rows
        ;; The four rows of the tile, each as two pairs.
        (local.set $r0 (local.get $tile))
        (local.set $r1 (i32.add (local.get $r0) (local.get $c_row)))
        (local.set $r2 (i32.add (local.get $r1) (local.get $c_row)))
        (local.set $r3 (i32.add (local.get $r2) (local.get $c_row)))
        (local.set $s00 (v128.load (local.get $r0)))
        (local.set $s01 (v128.load offset=16 (local.get $r0)))
        (local.set $s10 (v128.load (local.get $r1)))
        (local.set $s11 (v128.load offset=16 (local.get $r1)))
        (local.set $s20 (v128.load (local.get $r2)))
        (local.set $s21 (v128.load offset=16 (local.get $r2)))
        (local.set $s30 (v128.load (local.get $r3)))
        (local.set $s31 (v128.load offset=16 (local.get $r3)))

        (local.set $pa (local.get $from))
        (local.set $pb (local.get $b))
        (local.set $end (i32.add (local.get $pa) (i32.shl (local.get $inner) (i32.const 5))))
        (block $summed
          (br_if $summed (i32.eqz (local.get $inner)))
          (loop $terms
            (local.set $left (v128.load (local.get $pb)))
            (local.set $right (v128.load offset=16 (local.get $pb)))
            (local.set $x (v128.load64_splat (local.get $pa)))
            (local.set $s00 (f64x2.add (local.get $s00) (f64x2.mul (local.get $x) (local.get $left))))
            (local.set $s01 (f64x2.add (local.get $s01) (f64x2.mul (local.get $x) (local.get $right))))
            (local.set $x (v128.load64_splat offset=8 (local.get $pa)))
            (local.set $s10 (f64x2.add (local.get $s10) (f64x2.mul (local.get $x) (local.get $left))))
            (local.set $s11 (f64x2.add (local.get $s11) (f64x2.mul (local.get $x) (local.get $right))))
            (local.set $x (v128.load64_splat offset=16 (local.get $pa)))
            (local.set $s20 (f64x2.add (local.get $s20) (f64x2.mul (local.get $x) (local.get $left))))
            (local.set $s21 (f64x2.add (local.get $s21) (f64x2.mul (local.get $x) (local.get $right))))
            (local.set $x (v128.load64_splat offset=24 (local.get $pa)))
            (local.set $s30 (f64x2.add (local.get $s30) (f64x2.mul (local.get $x) (local.get $left))))
            (local.set $s31 (f64x2.add (local.get $s31) (f64x2.mul (local.get $x) (local.get $right))))
            (local.set $pb (i32.add (local.get $pb) (i32.const 32)))
            (local.set $pa (i32.add (local.get $pa) (i32.const 32)))
            (br_if $terms (i32.lt_u (local.get $pa) (local.get $end)))))

        (v128.store (local.get $r0) (local.get $s00))
        (v128.store offset=16 (local.get $r0) (local.get $s01))
        (v128.store (local.get $r1) (local.get $s10))
        (v128.store offset=16 (local.get $r1) (local.get $s11))
        (v128.store (local.get $r2) (local.get $s20))
        (v128.store offset=16 (local.get $r2) (local.get $s21))
        (v128.store (local.get $r3) (local.get $s30))
        (v128.store offset=16 (local.get $r3) (local.get $s31))

        (local.set $tile (i32.add (local.get $r3) (local.get $c_row)))
        (local.set $from (i32.add (local.get $from) (local.get $a_step)))
        (br_if $rows (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $c (i32.add (local.get $c) (i32.const 32)))
      (local.set $b (i32.add (local.get $b) (local.get $b_step)))
      (br_if $columns (local.tee $b_panels (i32.sub (local.get $b_panels) (i32.const 1))))))

  (func (export "pack")
    (param $from i32) (param $to i32)
    (param $inner i32)                            ;; rows of `from`
    (param $groups i32)                           ;; of sixteen columns
    (param $from_row i32) (param $panel i32)      ;; from row to row, from panel to panel
    (local $k i32) (local $row i32) (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $p3 i32)

    (if (i32.or (i32.eqz (local.get $inner)) (i32.eqz (local.get $groups))) (then (return)))
    (loop $columns
      (local.set $k (local.get $inner))
      (local.set $row (local.get $from))
      (local.set $p0 (local.get $to))
      (local.set $p1 (i32.add (local.get $p0) (local.get $panel)))
      (local.set $p2 (i32.add (local.get $p1) (local.get $panel)))
      (local.set $p3 (i32.add (local.get $p2) (local.get $panel)))
      (loop $rows
        (v128.store (local.get $p0)
          (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $row))))
        (v128.store offset=16 (local.get $p0)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $row))))
        (v128.store (local.get $p1)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=16 (local.get $row))))
        (v128.store offset=16 (local.get $p1)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $row))))
        (v128.store (local.get $p2)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=32 (local.get $row))))
        (v128.store offset=16 (local.get $p2)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=40 (local.get $row))))
        (v128.store (local.get $p3)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=48 (local.get $row))))
        (v128.store offset=16 (local.get $p3)
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=56 (local.get $row))))
        (local.set $row (i32.add (local.get $row) (local.get $from_row)))
        (local.set $p0 (i32.add (local.get $p0) (i32.const 32)))
        (local.set $p1 (i32.add (local.get $p1) (i32.const 32)))
        (local.set $p2 (i32.add (local.get $p2) (i32.const 32)))
        (local.set $p3 (i32.add (local.get $p3) (i32.const 32)))
        (br_if $rows (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $panel) (i32.const 2))))
      (br_if $columns (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))))
