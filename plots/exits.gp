# SPDX-License-Identifier: GPL-2.0-only
# Exits by reason (stacked) and maintenance interrupts by source (side by side, because one
# exit may have several sources) against the LR count.
name(kind,i) = value(sprintf("name_%s_%d", kind, i))
colour(kind,i) = value(sprintf("colour_%s_%d", kind, i))

set multiplot
set lmargin at screen px(92)
set rmargin at screen px(W-16)
set xrange [XMIN:XMAX]

set tmargin at screen py(H-112)
set bmargin at screen py(H/2+38)
set key at screen px(92),py(H-80) left center horizontal Left reverse samplen 1 width -0.5 \
	font F15
eval "set ytics ".exit_tics
set ylabel "exits, whole run" offset 0.5,0 textcolor rgb INK
set yrange [0:EXIT_TOP]
eval "plot ".\
	opt(BANDS, "DATA index 'band' using 1:(0):2:3:(0):(EXIT_TOP) with boxxyerror fillcolor rgb ".\
		"BAND notitle").\
	opt(ENDLESS, "DATA index 'endless' using 1:(0):2:3:(0):(EXIT_TOP) with boxxyerror fillstyle ".\
		"pattern 4 fillcolor rgb GREY notitle").\
	opt(ENDLESS, "DATA index 'endless' using 1:(EXIT_TOP/2):4 with labels rotate by 90 boxed ".\
		"textcolor rgb INK notitle").\
	opt(EXIT_SERIES, "for [i=1:EXIT_SERIES] DATA index sprintf('exit_%d',i) using 1:2:3:4:5:6 with ".\
		"boxxyerror fillcolor rgb colour('exit',i) title name('exit',i)").\
	opt(TRUTH, "DATA index 'truth' using 1:2 with points pointtype 13 pointsize 1.1 linecolor ".\
		"rgb INK title 'measured'").\
	"DATA index 'exit_totals' using 1:2:3 with labels offset 0,0.6 textcolor rgb INK notitle"

unset label 1001
unset label 1002
set tmargin at screen py(H/2-62)
set bmargin at screen py(72)
set key at screen px(92),py(H/2-36) left center horizontal Left reverse samplen 1 width -0.5 \
	font F15
eval "set ytics ".mi_tics
set ylabel "maintenance interrupts" offset 0.5,0
set xlabel XLABEL textcolor rgb INK offset 0,0.2
set yrange [0:MI_TOP]
eval "plot ".\
	opt(BANDS, "DATA index 'band' using 1:(0):2:3:(0):(MI_TOP) with boxxyerror fillcolor rgb ".\
		"BAND notitle").\
	opt(ENDLESS, "DATA index 'endless' using 1:(0):2:3:(0):(MI_TOP) with boxxyerror fillstyle ".\
		"pattern 4 fillcolor rgb GREY notitle").\
	opt(ENDLESS, "DATA index 'endless' using 1:(MI_TOP/2):4 with labels rotate by 90 boxed ".\
		"textcolor rgb INK notitle").\
	opt(MI_SERIES, "for [i=1:MI_SERIES] DATA index sprintf('mi_%d',i) using 1:2:3:4:5:6 with ".\
		"boxxyerror fillcolor rgb colour('mi',i) title name('mi',i)").\
	"DATA index 'mi_totals' using 1:6:4:5 with xerrorbars pointtype -1 linewidth 2 ".\
		"linecolor rgb INK title 'MI exits', ".\
	opt(BOUND, "DATA index 'mi_totals' using 1:7 with points pointtype 8 pointsize 1.3 linewidth 2 ".\
		"linecolor rgb INK title 'fewest possible'").\
	opt(TRUTH, "DATA index 'truth' using 1:3 with points pointtype 13 pointsize 1.1 linecolor ".\
		"rgb INK title 'measured'").\
	"DATA index 'mi_totals' using 1:2:3 with labels offset 0,0.6 textcolor rgb INK notitle"
unset multiplot
