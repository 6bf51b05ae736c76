-- The retail calendar: weeks run from Monday to Sunday; a retail year begins on the Monday
-- nearest to 1 February; each quarter has periods of 4, 4 and 5 weeks; a 53rd week, when
-- there is one, belongs to period 12.
with

days as (
    select cast(day_at as date) as date_on
    from generate_series(timestamp '2010-01-01', timestamp '2040-12-31', interval 1 day) as series(day_at)
),

starts as (
    select
        date_on,
        cast(date_trunc('week', make_date(year(date_on), 2, 1) + 3) as date) as starts_on,
        cast(date_trunc('week', make_date(year(date_on) - 1, 2, 1) + 3) as date) as previous_starts_on
    from days
),

retail as (
    select
        date_on,
        year(date_on) - case when date_on < starts_on then 1 else 0 end as retail_year,
        (date_on - case when date_on < starts_on then previous_starts_on else starts_on end) // 7 + 1
            as retail_week
    from starts
),

quarters as (
    select
        *,
        least((retail_week - 1) // 13, 3) as quarter_index,
        retail_week - 13 * least((retail_week - 1) // 13, 3) as week_of_quarter
    from retail
),

final as (
    select
        date_on,
        year(date_on) as year,
        quarter(date_on) as quarter,
        month(date_on) as month,
        monthname(date_on) as month_name,
        isoyear(date_on) as iso_year,
        week(date_on) as iso_week,
        isodow(date_on) as day_of_week,
        dayname(date_on) as day_name,
        isodow(date_on) >= 6 as is_weekend,
        retail_year,
        3 * quarter_index + case
            when week_of_quarter <= 4 then 1
            when week_of_quarter <= 8 then 2
            else 3
        end as retail_period,
        retail_week
    from quarters
)

select * from final
